;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; pack.scm OUT NAME...: for 'guix time-machine -C OUT/NAME.channels.scm -- repl'.
;;;
;;; For each NAME, do in one process what 'guix pack -f docker -m NAME.manifest.scm'
;;; with the words in NAME.options does, put the image beside them, and have
;;; Guix's own exports of its profile there too.

(use-modules (guix derivations)
             (guix scripts pack)
             (guix scripts package)
             (ice-9 match)
             (ice-9 rdelim)
             (srfi srfi-1)
             (srfi srfi-26))

(define (lines file)
  (call-with-input-file file
    (lambda (port)
      (let loop ((lines '()))
        (match (read-line port)
          ((? eof-object?) (reverse lines))
          (line (loop (cons line lines))))))))

(define (output proc . args)
  "What PROC prints, without the last newline; #f where it gives up."
  (catch 'quit
    (lambda ()
      (string-trim-right
       (with-output-to-string (lambda () (apply proc args)))
       #\newline))
    (const #f)))

(define (packed-profile drv)
  "The profile that the pack of DRV is made of."
  (any (lambda (input)
         (let ((drv (derivation-input-derivation input)))
           (and (string=? (derivation-name drv) "profile")
                (derivation->output-path drv))))
       (derivation-inputs (read-derivation-from-file drv))))

(define (pack out name)
  (define (file suffix) (string-append out "/" name suffix))
  (define command
    (append (list "--format=docker")
            (lines (file ".options"))
            (list (string-append "--manifest=" (file ".manifest.scm")))))

  (define drv (apply output guix-pack "--derivation" command))
  (define image (apply output guix-pack command))
  (unless (and drv image)
    (format (current-error-port) "pack.scm: ~a failed~%" name)
    (exit 1))

  (for-each
   (lambda (what)
     (let ((text (output guix-package
                         (string-append "--profile=" (packed-profile drv))
                         (string-append "--export-" what))))
       (when text
         (call-with-output-file (file (string-append ".export-" what ".scm"))
           (lambda (port) (display text port) (newline port))))))
   '("channels" "manifest"))

  ;; HASH-NAMES-docker-pack.tar.gz: what follows is Guix's.
  (let ((suffix (string-drop image (+ (string-length "-pack")
                                      (string-contains image "-pack.")))))
    (copy-file image (file suffix))
    (chmod (file suffix) #o644)))

(match (command-line)
  ((_ out names ...)
   (for-each (cut pack out <>) names)))
