;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Build this little Guix.  Like the 'build-self.scm' of the real thing, this
;;; file is loaded in the process that runs 'guix pull' or 'guix time-machine'
;;; and returns a monadic procedure that returns a derivation.
(use-modules (guix gexp)
             (guix monads)
             (guix modules)
             (guix packages)
             (guix store)
             (srfi srfi-1)
             (ice-9 match))

(define %top (dirname (dirname (current-filename))))

(define (load-distribution! top)
  "Load the package modules of TOP, so that what the calling process needs from
the distribution to build a profile (Guile above all, and what the profile
hooks use) is that of this channel and not that of the calling Guix."
  (define (load* module)
    (primitive-load (string-append top "/gnu/packages/" module ".scm")))
  (for-each load*
            '("seed" "bootstrap" "commencement" "guile" "gnupg" "tls" "bash"
              "base" "compression" "texinfo" "haskell" "gtk" "glib" "gnome"
              "linux" "freedesktop" "xorg" "tex" "version-control" "man"
              "certs")))

(define (var name)
  (module-ref (resolve-interface '(gnu packages seed)) name))

(define (guix-modules source guile guix extensions)
  "Return the modules of SOURCE together with those of GUIX."
  (define build
    (with-extensions extensions
      (with-imported-modules '((guix build utils))
        #~(begin
            (use-modules (guix build utils) (srfi srfi-1) (srfi srfi-26)
                         (system base compile) (ice-9 ftw))
            (define scm (string-append #$output "/share/guile/site/3.0"))
            (define go (string-append #$output "/lib/guile/3.0/site-ccache"))
            (define seed-scm (string-append #$guix "/share/guile/site/3.0"))
            (define seed-go (string-append #$guix "/lib/guile/3.0/site-ccache"))
            (define (entries dir)
              (scandir dir (negate (cut member <> '("." "..")))))
            (define (link-all from to)
              (mkdir-p to)
              (for-each (lambda (f)
                          (symlink (string-append from "/" f)
                                   (string-append to "/" f)))
                        (entries from)))
            (define (link-guix from to)
              (mkdir-p to)
              (for-each (lambda (f)
                          (unless (string=? f "gnu")
                            (symlink (string-append from "/" f)
                                     (string-append to "/" f))))
                        (entries from))
              (link-all (string-append from "/gnu") (string-append to "/gnu")))

            (link-guix seed-scm scm)
            (link-guix seed-go go)
            (copy-recursively (string-append #$source "/gnu/packages")
                              (string-append scm "/gnu/packages")
                              #:log (%make-void-port "w"))
            (copy-file (string-append #$source "/gnu.scm")
                       (string-append scm "/gnu.scm"))

            (set! %load-path (cons scm %load-path))
            (set! %load-compiled-path (cons go %load-compiled-path))
            (setenv "HOME" "/homeless")
            (setvbuf (current-output-port) 'line)
            (let ((files (cons "gnu.scm"
                               (map (cut string-drop <>
                                         (+ 1 (string-length scm)))
                                    (find-files (string-append scm "/gnu/packages")
                                                "\\.scm$")))))
              (for-each (lambda (file)
                          (let ((output (string-append go "/"
                                                       (string-drop-right file 4)
                                                       ".go")))
                            (format #t "compiling ~a~%" file)
                            (mkdir-p (dirname output))
                            (with-fluids ((%file-port-name-canonicalization
                                           'relative))
                              (compile-file (string-append scm "/" file)
                                            #:output-file output
                                            #:optimization-level 1))))
                        files))))))
  (computed-file "guix-modules" build
                 #:guile guile
                 #:options '(#:local-build? #t #:substitutable? #f)))

(define* (build source
                #:key verbose? (version "0") system channel-metadata
                (pull-version 0) built-in-builders
                #:allow-other-keys)
  (load-distribution! %top)
  (let* ((guile      (var 'guile-seed))
         (guix       (var 'guix-seed))
         (extensions (map var '(guile-gcrypt-seed guile-json-seed
                                guile-sqlite3-seed guile-zlib-seed
                                guile-lzlib-seed guile-git-seed)))
         (source     (local-file source "guix-source"
                                 #:recursive? #t
                                 #:select? (lambda (file stat)
                                             (not (string-suffix? ".in" file)))))
         (modules    (guix-modules source guile guix extensions))
         (command
          (program-file "guix-command"
                        #~(begin
                            (set! %load-extensions '(".scm"))
                            (set! %load-path
                              (append (list (string-append
                                             #$modules "/share/guile/site/3.0"))
                                      (map (lambda (e)
                                             (string-append
                                              e "/share/guile/site/3.0"))
                                           '#$extensions)
                                      (list (string-append
                                             #$guile "/share/guile/3.0"))
                                      %load-path))
                            (set! %load-compiled-path
                              (append (list (string-append
                                             #$modules
                                             "/lib/guile/3.0/site-ccache"))
                                      (map (lambda (e)
                                             (string-append
                                              e "/lib/guile/3.0/site-ccache"))
                                           '#$extensions)
                                      (list (string-append
                                             #$guile "/lib/guile/3.0/ccache"))
                                      %load-compiled-path))
                            (let ((guix-main (module-ref
                                              (resolve-interface '(guix ui))
                                              'guix-main)))
                              (apply guix-main (command-line))))
                        #:guile guile)))
    (lower-object
     (computed-file (string-append "guix-" (string-take version (min 9 (string-length version))))
                    (with-imported-modules '((guix build utils))
                      #~(begin
                          (use-modules (guix build utils))
                          (mkdir-p (string-append #$output "/bin"))
                          (symlink #$command
                                   (string-append #$output "/bin/guix"))
                          (mkdir-p (string-append #$output "/share/guile/site"))
                          (symlink (string-append #$modules
                                                  "/share/guile/site/3.0")
                                   (string-append #$output
                                                  "/share/guile/site/3.0"))
                          (mkdir-p (string-append #$output "/lib/guile/3.0"))
                          (symlink (string-append #$modules
                                                  "/lib/guile/3.0/site-ccache")
                                   (string-append #$output
                                                  "/lib/guile/3.0/site-ccache"))))
                    #:guile guile
                    #:options '(#:local-build? #t #:substitutable? #f))
     (or system (%current-system)))))

;; What 'build-from-source' calls.
build
