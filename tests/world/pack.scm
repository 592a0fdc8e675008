;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; pack.scm OUT NAME...: for 'guix time-machine -C OUT/NAME.channels.scm -- repl'.
;;;
;;; For each NAME, do in one process what 'guix pack -f docker -m NAME.manifest.scm'
;;; with the words in NAME.options does, put the image beside them, and have
;;; Guix's own exports of its profile there too, if it knows of any.

(use-modules (guix derivations)
             (guix scripts build)
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

(define (file out name suffix) (string-append out "/" name suffix))

(define (command out name)
  "The words of 'guix pack'."
  (let ((manifest (file out name ".manifest.scm")))
    (append (list "--format=docker")
            (lines (file out name ".options"))
            (if (file-exists? manifest)
                (list (string-append "--manifest=" manifest))
                '()))))

(define (lower out name)
  (apply output guix-pack "--derivation" (command out name)))

(define (pack out name drv)
  (define image (and drv (apply output guix-pack (command out name))))
  (unless image
    (format (current-error-port) "pack.scm: ~a failed~%" name)
    (exit 1))

  (for-each
   (lambda (what)
     (let ((text (output guix-package
                         (string-append "--profile=" (packed-profile drv))
                         (string-append "--export-" what))))
       (when text
         (call-with-output-file (file out name
                                      (string-append ".export-" what ".scm"))
           (lambda (port) (display text port) (newline port))))))
   '("channels" "manifest"))

  ;; HASH-NAMES-docker-pack.tar.gz: what follows is Guix's.
  (let ((suffix (string-drop image (+ (string-length "-pack")
                                      (string-contains image "-pack.")))))
    (copy-file image (file out name suffix))
    (chmod (file out name suffix) #o644)))

(match (command-line)
  ((_ out names ...)
   (let ((drvs (map (cut lower out <>) names)))
     ;; All at once, so that the daemon builds side by side what it can.
     (apply output guix-build "--keep-going" (delete-duplicates (filter ->bool drvs)))
     (for-each (cut pack out <> <>) names drvs))))
