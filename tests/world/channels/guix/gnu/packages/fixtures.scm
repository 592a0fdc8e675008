;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; One package of each kind that a test needs.
(define-module (gnu packages fixtures)
  #:use-module (guix packages)
  #:use-module (guix build-system trivial)
  #:use-module (guix gexp)
  #:use-module (guix profiles)
  #:use-module (guix search-paths)
  #:use-module ((guix licenses) #:prefix license:)
  #:use-module (gnu packages seed)
  #:export (c-program))

(define (c-source text)
  "A freestanding C program that prints TEXT."
  (string-append "
static long sys (long n, long a, long b, long c)
{
  long r;
  __asm__ volatile (\"syscall\" : \"=a\" (r)
                    : \"a\" (n), \"D\" (a), \"S\" (b), \"d\" (c)
                    : \"rcx\", \"r11\", \"memory\");
  return r;
}
static const char text[] = " (object->string text) ";
void _start (void)
{
  sys (1, 1, (long) text, sizeof text - 1);
  sys (60, 0, 0, 0);
  for (;;);
}
"))

(define* (c-program output name text)
  "A gexp that compiles to OUTPUT/bin/NAME a program that prints TEXT."
  #~(begin
      (mkdir-p (string-append #$output "/bin"))
      (call-with-output-file (string-append #$name ".c")
        (lambda (port) (display #$(c-source text) port)))
      (invoke #+(file-append tcc-seed "/bin/tcc") "-nostdlib" "-static"
              "-o" (string-append #$output "/bin/" #$name)
              (string-append #$name ".c"))))

(define-public hello
  (package
    (name "hello")
    (version "2.12")
    (source #f)
    (build-system trivial-build-system)
    (arguments
     (list #:modules '((guix build utils))
           #:builder
           #~(begin (use-modules (guix build utils))
                    #$(c-program #~#$output "hello" "Hello, world!\n"))))
    (synopsis "Greet") (description "Greet.")
    (home-page "https://example.org/") (license license:gpl3+)))

(define-public hello-1
  (package
    (inherit hello)
    (version "1.0")
    (arguments
     (list #:modules '((guix build utils))
           #:builder
           #~(begin (use-modules (guix build utils))
                    #$(c-program #~#$output "hello" "Hello from the past!\n"))))))

(define-public greeter
  (package
    (inherit hello)
    (name "greeter") (version "0.3")
    (outputs '("out" "doc"))
    (arguments
     (list #:modules '((guix build utils))
           #:builder
           #~(begin (use-modules (guix build utils))
                    #$(c-program #~#$output "greeter" "Good day.\n")
                    (mkdir-p (string-append #$output:doc "/share/doc/greeter"))
                    (call-with-output-file
                        (string-append #$output:doc "/share/doc/greeter/README")
                      (lambda (port) (display "Read me.\n" port))))))))

(define-public choir
  ;; Propagates other packages, and has search paths.
  (package
    (inherit hello)
    (name "choir") (version "4.0.1")
    (propagated-inputs (list hello greeter `(,greeter "doc")))
    (native-search-paths
     (list (search-path-specification
            (variable "CHOIR_PATH")
            (files '("share/choir")))
           (search-path-specification
            (variable "CHOIR_BIN")
            (files '("bin")))))
    (arguments
     (list #:modules '((guix build utils))
           #:builder
           #~(begin (use-modules (guix build utils))
                    #$(c-program #~#$output "choir" "La la la.\n")
                    (mkdir-p (string-append #$output "/share/choir"))
                    (call-with-output-file
                        (string-append #$output "/share/choir/songs")
                      (lambda (port) (display "la\n" port))))))))

(define-public busybox
  ;; Something that has a shell.
  (package
    (inherit hello)
    (name "busybox") (version "1.38")
    (arguments
     (list #:modules '((guix build utils))
           #:builder
           #~(let ((bin (string-append #$output "/bin")))
               (use-modules (guix build utils))
               (mkdir-p bin)
               (copy-file #$(local-file "bootstrap/bin/busybox" "busybox-binary")
                          (string-append bin "/busybox"))
               (chmod (string-append bin "/busybox") #o755)
               (for-each (lambda (p)
                           (symlink "busybox" (string-append bin "/" p)))
                         '("sh" "ls" "cat" "date")))))))

;; Another profile within what it needs, which is not the one of the image.
(define-public nest
  (package
    (inherit hello)
    (name "nest") (version "1")
    (arguments
     (list #:modules '((guix build utils))
           #:builder
           #~(begin
               (use-modules (guix build utils))
               (mkdir-p (string-append #$output "/share"))
               (symlink #$(profile
                           (content (packages->manifest (list hello-1 busybox)))
                           (hooks '())
                           (locales? #f))
                        (string-append #$output "/share/nest")))))))

(define-public dice
  ;; Not reproducible.
  (package
    (inherit hello)
    (name "dice") (version "6")
    (arguments
     (list #:modules '((guix build utils))
           #:builder
           #~(begin (use-modules (guix build utils))
                    (mkdir-p (string-append #$output "/share"))
                    (call-with-output-file
                        (string-append #$output "/share/dice")
                      (lambda (port)
                        (let ((r (open-file "/dev/urandom" "r0b")))
                          (write (list (gettimeofday)
                                       (char->integer (read-char r)))
                                 port)))))))))

(define-public croupier
  ;; Refers to one that is not reproducible, and is itself.
  (package
    (inherit hello)
    (name "croupier") (version "1")
    (inputs (list dice))
    (arguments
     (list #:modules '((guix build utils))
           #:builder
           #~(begin (use-modules (guix build utils))
                    (mkdir-p (string-append #$output "/share"))
                    (symlink #$(file-append dice "/share/dice")
                             (string-append #$output "/share/dice")))))))

(define (file-package name version text)
  "A package with a file, share/NAME, that says TEXT."
  (package
    (inherit hello)
    (name name) (version version)
    (arguments
     (list #:modules '((guix build utils))
           #:builder
           #~(begin (use-modules (guix build utils))
                    (mkdir-p (string-append #$output "/share"))
                    (call-with-output-file
                        (string-append #$output "/share/" #$name)
                      (lambda (port) (display #$text port))))))))

(define bell/fixed
  (file-package "bell" "1.1" "dong\n"))

(define-public bell
  ;; Has a replacement: whoever refers to it is grafted.
  (package
    (inherit (file-package "bell" "1.0" "ding\n"))
    (replacement bell/fixed)))

(define-public ringer
  (package
    (inherit (file-package "ringer" "2" (file-append bell "/share/bell")))
    (inputs (list bell))))

(define-public broken
  ;; Fails, always.
  (package
    (inherit hello)
    (name "broken") (version "0")
    (arguments
     (list #:builder
           #~(begin (display "about to fail\n") (exit 3))))))

(define-public sleepy
  ;; Says a word, and then nothing for ever.
  (package
    (inherit hello)
    (name "sleepy") (version "1")
    (arguments
     (list #:builder
           #~(begin (display "zzz\n") (force-output)
                    (let loop () (sleep 600) (loop)))))))

(define-public chatty
  ;; Talks for ever: only a deadline ends it.
  (package
    (inherit hello)
    (name "chatty") (version "1")
    (arguments
     (list #:builder
           #~(let loop ((i 0))
               (format #t "still here: ~a~%" i) (force-output)
               (usleep 200000)
               (loop (+ i 1)))))))

(define* (only-with-three-cores else)
  "A gexp that builds where the daemon gives three cores, and does ELSE
elsewhere: what builds for one need not build for another."
  #~(begin
      (use-modules (guix build utils))
      (let ((cores (getenv "NIX_BUILD_CORES")))
        (format #t "building with ~a cores~%" cores) (force-output)
        (unless (equal? cores "3") #$else)
        (mkdir-p (string-append #$output "/share"))
        (call-with-output-file (string-append #$output "/share/cores")
          (lambda (port) (display "three\n" port))))))

(define-public picky
  (package
    (inherit hello)
    (name "picky") (version "3.0")
    (arguments
     (list #:modules '((guix build utils))
           #:builder
           (only-with-three-cores
            #~(begin
                (display "picky: error: the test suite wants three cores\n")
                (exit 1)))))))

(define-public sloth
  (package
    (inherit hello)
    (name "sloth") (version "3.0")
    (arguments
     (list #:modules '((guix build utils))
           #:builder
           (only-with-three-cores #~(let loop () (sleep 600) (loop)))))))

(define* (public name version script #:key source)
  "A package that SCRIPT, of busybox's shell, builds."
  (package
    (inherit (raw-script-package name version (string-append "
bb() { $boot/bin/busybox \"$@\"; }
" script) #:source source))
    (properties '())))

(define-public lantern
  ;; Its source can vanish: the address leads nowhere.
  (public "lantern" "1.0" "bb mkdir $out; bb tar -xf $source -C $out\n"
          #:source lantern-source))

(define-public big
  ;; More than a hundred megabytes in thousands of files.
  (public "big" "1" "bb mkdir -p $out/share; bb tar -xf $source -C $out/share\n"
          #:source big-seed))

(define-public odd
  ;; Names that a careless reader gets wrong.  (The store itself keeps only the
  ;; executable bit of a mode.)
  (public "odd" "1" "
d=$out/share/odd; bb mkdir -p $d; cd $d
bb printf 1 > 'a space'; bb printf 2 > \"$(bb printf 'new\\nline')\"
bb printf 3 > 'quote\"s'; bb printf 4 > \"apo'strophe\"; bb printf 5 > 'back\\slash'
bb printf 6 > -dash; bb printf 7 > '<b>&amp;'; bb printf 8 > '$(date)`id`'
bb printf 9 > \"$(bb printf 'gr\\303\\274\\303\\237e')\"
bb printf 10 > \"$(bb printf '\\346\\227\\245\\346\\234\\254')\"
bb printf 11 > \"$(bb printf 'latin1-\\374')\"
bb printf 12 > \"$(bb printf 'combining-u\\314\\210')\"
bb printf 13 > ..three; bb printf 14 > .hidden; : > empty; bb mkdir -p void
long=$(bb printf '%0200d' 0); bb printf 15 > long-$long
bb mkdir -p d/$long/$long; bb printf 16 > d/$long/$long/deep
bb ln -s nowhere dangling; bb ln -s . self; bb ln -s d/$long/$long/deep far
bb ln -s /etc/passwd outside; bb ln -s '../odd/a space' up
bb printf twin > twin1; bb ln twin1 twin2; bb ln twin1 d/twin3
bb printf '#!/bin/sh\\n' > run; bb chmod 777 run; bb chmod 600 empty
"))
