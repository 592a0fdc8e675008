;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; One package of each kind that a test needs, as people wrote them in 2020.
(define-module (gnu packages fixtures)
  #:use-module (gnu packages seed)
  #:use-module (guix packages)
  #:use-module (guix search-paths)
  #:use-module (guix build-system trivial)
  #:use-module ((guix licenses) #:prefix license:)
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

(define (c-program name text)
  "Code that compiles a program NAME, which prints TEXT, for the input tcc."
  `(let ((bin (string-append (assoc-ref %outputs "out") "/bin"))
         (tcc (string-append (assoc-ref %build-inputs "tcc") "/bin/tcc")))
     (mkdir-p bin)
     (call-with-output-file ,(string-append name ".c")
       (lambda (port) (display ,(c-source text) port)))
     (invoke tcc "-nostdlib" "-static" "-o" (string-append bin "/" ,name)
             ,(string-append name ".c"))))

(define (code . expressions)
  "Arguments of the trivial build system for EXPRESSIONS."
  `(#:modules ((guix build utils))
    #:builder (begin (use-modules (guix build utils)) ,@expressions #t)))

(define-public hello
  (package
    (name "hello") (version "2.10")
    (source #f)
    (build-system trivial-build-system)
    (native-inputs `(("tcc" ,tcc-seed)))
    (arguments (code (c-program "hello" "Hello, world!\n")))
    (synopsis "Greet") (description "Greet.")
    (home-page "https://example.org/") (license license:gpl3+)))

(define-public hello-1
  (package
    (inherit hello)
    (version "1.0")
    (arguments (code (c-program "hello" "Hello from the past!\n")))))

(define-public greeter
  (package
    (inherit hello)
    (name "greeter") (version "0.1")
    (outputs '("out" "doc"))
    (arguments
     (code (c-program "greeter" "Good day.\n")
           '(let ((doc (string-append (assoc-ref %outputs "doc")
                                      "/share/doc/greeter")))
              (mkdir-p doc)
              (call-with-output-file (string-append doc "/README")
                (lambda (port) (display "Read me.\n" port))))))))

(define-public choir
  ;; Propagates other packages, and has search paths.
  (package
    (inherit hello)
    (name "choir") (version "3.1")
    (propagated-inputs `(("hello" ,hello)
                         ("greeter" ,greeter)
                         ("greeter:doc" ,greeter "doc")))
    (native-search-paths
     (list (search-path-specification
            (variable "CHOIR_PATH")
            (files '("share/choir")))
           (search-path-specification
            (variable "CHOIR_BIN")
            (files '("bin")))))
    (arguments
     (code (c-program "choir" "La la la.\n")
           '(let ((share (string-append (assoc-ref %outputs "out")
                                        "/share/choir")))
              (mkdir-p share)
              (call-with-output-file (string-append share "/songs")
                (lambda (port) (display "la\n" port))))))))

(define-public busybox
  ;; Something that has a shell.
  (package
    (inherit hello)
    (name "busybox") (version "1.30.1")
    (native-inputs `(("busybox" ,(script-package "busybox" "1.30.1" "
$boot/bin/busybox mkdir -p $out/bin
$boot/bin/busybox cp $boot/bin/busybox $out/bin/busybox
"))))
    (arguments
     (code '(let ((bin (string-append (assoc-ref %outputs "out") "/bin")))
              (mkdir-p bin)
              (copy-file (string-append (assoc-ref %build-inputs "busybox")
                                        "/bin/busybox")
                         (string-append bin "/busybox"))
              (for-each (lambda (p)
                          (symlink "busybox" (string-append bin "/" p)))
                        '("sh" "ls" "cat" "date")))))))

(define-public dice
  ;; Not reproducible.
  (package
    (inherit hello)
    (name "dice") (version "6")
    (arguments
     (code '(let ((share (string-append (assoc-ref %outputs "out") "/share")))
              (mkdir-p share)
              (call-with-output-file (string-append share "/dice")
                (lambda (port)
                  (let ((r (open-file "/dev/urandom" "r0b")))
                    (write (list (gettimeofday) (char->integer (read-char r)))
                           port)))))))))
