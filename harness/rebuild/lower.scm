;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; guix repl -- lower.scm FILE
;;;
;;; FILE holds a list of lists of strings: the words after `guix pack' of each
;;; recipe.  Lower them one after the other in this process.  "unblend-lowered
;;; N" on a line of its own stands before what the Nth printed, on both outputs.
(use-modules (guix scripts pack))

(define recipes
  (call-with-input-file (list-ref (command-line) 1) read))

(define (lower words)
  "What `guix pack WORDS...' prints; its errors are on stderr by then."
  (catch #t
    (lambda ()
      (with-output-to-string
        (lambda () (apply guix-pack words))))
    (lambda (key . args)
      (unless (eq? key 'quit)
        (format (current-error-port) "guix pack: error: ~a ~s~%" key args))
      "")))

(let loop ((n 0) (recipes recipes))
  (unless (null? recipes)
    (let ((port (current-error-port)))
      (format port "~%unblend-lowered ~a~%" n)
      (force-output port))
    (let ((text (lower (car recipes))))
      (format #t "~%unblend-lowered ~a~%~a" n text)
      (force-output (current-output-port)))
    (loop (+ n 1) (cdr recipes))))
