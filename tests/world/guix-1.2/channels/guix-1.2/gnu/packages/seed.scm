;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; The "seed" of this little distribution as packages.
(define-module (gnu packages seed)
  #:use-module (gnu packages boot)
  #:use-module (guix packages)
  #:use-module (guix build-system)
  #:use-module (guix derivations)
  #:use-module (guix search-paths)
  #:use-module ((guix licenses) #:prefix license:)
  #:use-module (ice-9 match)
  #:export (script-package
            guile-seed guile-libs-seed tools-seed gcc-seed
            guile-json-seed guile-gcrypt-seed guile-sqlite3-seed guile-zlib-seed
            guile-lzlib-seed guile-git-seed guile-bytestructures-seed
            guile-gdbm-seed
            tar-seed gzip-seed bzip2-seed xz-seed zstd-seed lzip-seed
            squashfs-tools-seed tcc-seed bash-seed sed-seed grep-seed
            coreutils-seed texinfo-seed utf8-locales-seed
            dummy-package))

(define* (script-build store name inputs #:key make script outputs system
                       #:allow-other-keys)
  "The derivation of MAKE, or the one that SCRIPT tells."
  (if make
      (make store system)
      (script-derivation store name script
                         (map (match-lambda
                                ((label (? derivation? drv) . outputs)
                                 (cons* label drv outputs))
                                ((label (? derivation-path? file) . outputs)
                                 (cons* label (read-derivation-from-file file)
                                        outputs)))
                              inputs)
                         #:outputs outputs #:system system)))

(define script-build-system
  (build-system
    (name 'script)
    (description "Run a script of busybox's shell")
    (lower (lambda* (name #:key source inputs native-inputs outputs system
                          target make script #:allow-other-keys)
             (bag
               (name name) (system system) (target #f)
               (build-inputs inputs)
               (outputs outputs)
               (build script-build)
               (arguments `(#:make ,make #:script ,script)))))))

(define* (script-package name version script
                         #:key make (inputs '()) (outputs '("out")))
  (package
    (name name) (version version)
    (source #f)
    (build-system script-build-system)
    (arguments `(#:make ,make #:script ,script))
    (inputs inputs)
    (outputs outputs)
    (synopsis (string-append "Seed of " name))
    (description (string-append "Ready-made " name "."))
    (home-page "https://seed.invalid/")
    (license license:gpl3+)
    (properties '((hidden? . #t)))))

(define (seed-package name version make)
  (script-package name version #f #:make make))

(define guile-seed
  (package
    (inherit (seed-package "guile" "2.2.7" guile-derivation))
    (native-search-paths
     (list (search-path-specification
            (variable "GUILE_LOAD_PATH")
            (files '("share/guile/site/2.2")))
           (search-path-specification
            (variable "GUILE_LOAD_COMPILED_PATH")
            (files '("lib/guile/2.2/site-ccache")))))))

(define guile-libs-seed (seed-package "guile-libs" "1" guile-libs-derivation))
(define tools-seed (seed-package "tools" "1" tools-derivation))

(define gcc-seed
  ;; Everything that a C compiler needs, as the packages that Guix looks for.
  (package
    (inherit
     (script-package "gcc-toolchain" "10.2.1" "
bb() { $boot/bin/busybox \"$@\"; }
bb mkdir $static $out $out/bin
for p in gcc as ld strip; do bb ln -s $gcc/bin/$p $out/bin/$p; done
"
                     #:inputs `(("gcc" ,(seed-package "gcc-seed" "10.2.1"
                                                      gcc-derivation)))
                     #:outputs '("out" "static")))))

(define-public proot-static
  (package
    (inherit (seed-package "proot-static" "5.1.0" proot-derivation))
    (properties '())))

(define-public fakechroot
  (package
    (inherit (seed-package "fakechroot" "2.19" proot-derivation))
    (properties '())))

(define (guile-library name version . modules)
  "A package with only MODULES of GUILE-LIBS-SEED."
  (script-package name version (string-append "
bb() { $boot/bin/busybox \"$@\"; }
s=share/guile/site; c=lib/guile
bb mkdir -p $out/$s/2.2 $out/$c/2.2/site-ccache
bb ln -s 2.2 $out/$s/3.0; bb ln -s 2.2 $out/$c/3.0
for m in " (string-join modules) "; do
 for e in '' .scm; do if [ -e $libs/$s/2.2/$m$e ]; then bb ln -s $libs/$s/2.2/$m$e $out/$s/2.2/$m$e; fi; done
 for e in '' .go;  do if [ -e $libs/$c/2.2/site-ccache/$m$e ]; then bb ln -s $libs/$c/2.2/site-ccache/$m$e $out/$c/2.2/site-ccache/$m$e; fi; done
done
") #:inputs `(("libs" ,guile-libs-seed))))

(define guile-json-seed    (guile-library "guile-json" "4.3.2" "json"))
(define guile-gcrypt-seed  (guile-library "guile-gcrypt" "0.3.0" "gcrypt"))
(define guile-sqlite3-seed (guile-library "guile-sqlite3" "0.1.3" "sqlite3"))
(define guile-zlib-seed    (guile-library "guile-zlib" "0.0.1" "zlib"))
(define guile-lzlib-seed   (guile-library "guile-lzlib" "0.0.2" "lzlib"))
(define guile-git-seed     (guile-library "guile-git" "0.4.0" "git"))
(define guile-bytestructures-seed
  (guile-library "guile-bytestructures" "1.0.7" "bytestructures"))
(define guile-gdbm-seed    (guile-library "guile-gdbm-ffi" "0" "gdbm"))

(define (link-package name version programs)
  "A package whose bin/ has symlinks to PROGRAMS of TOOLS-SEED, or to busybox
for those that it lacks."
  (script-package name version (string-append "
bb() { $boot/bin/busybox \"$@\"; }
bb mkdir -p $out/bin
for p in " (string-join programs) "; do
  if [ -e $tools/bin/$p ]; then bb ln -s $tools/bin/$p $out/bin/$p
  else bb ln -s $boot/bin/busybox $out/bin/$p; fi
done
") #:inputs `(("tools" ,tools-seed))))

(define tar-seed   (link-package "tar" "1.34" '("tar")))
(define gzip-seed  (link-package "gzip" "1.10" '("gzip")))
(define bzip2-seed (link-package "bzip2" "1.0.8" '("bzip2")))
(define xz-seed    (link-package "xz" "5.2.5" '("xz")))
(define zstd-seed  (link-package "zstd" "1.4.8" '("zstd")))
(define lzip-seed  (link-package "lzip" "1.22" '("lzip")))
(define squashfs-tools-seed
  (link-package "squashfs-tools" "4.4" '("mksquashfs" "unsquashfs")))
(define bash-seed  (link-package "bash" "5.1" '("bash" "sh")))
(define sed-seed   (link-package "sed" "4.7" '("sed")))
(define grep-seed  (link-package "grep" "3.6" '("grep" "egrep" "fgrep")))
(define coreutils-seed
  (link-package "coreutils" "8.32"
                '("cat" "chmod" "cp" "cut" "date" "dirname" "echo" "env" "expr"
                  "false" "head" "id" "install" "ln" "ls" "mkdir" "mktemp" "mv"
                  "od" "printf" "pwd" "readlink" "realpath" "rm" "rmdir"
                  "sha256sum" "sleep" "sort" "stat" "tail" "tee" "test" "touch"
                  "tr" "true" "uname" "uniq" "wc")))
(define texinfo-seed
  (script-package "texinfo" "6.7" "
bb() { $boot/bin/busybox \"$@\"; }
bb mkdir -p $out/bin
{ echo \"#!$boot/bin/busybox sh\"; echo 'exit 0'; } > $out/bin/install-info
bb chmod 755 $out/bin/install-info
"))
(define utf8-locales-seed
  (script-package "glibc-utf8-locales" "2.31" "
bb() { $boot/bin/busybox \"$@\"; }
bb mkdir -p $out/lib/locale
bb ln -s $guile/lib/locale $out/lib/locale/2.31
" #:inputs `(("guile" ,guile-seed))))
(define tcc-seed
  ;; A C compiler (no libc: use -nostdlib).
  (script-package "tcc" "0.9.27" "
bb() { $boot/bin/busybox \"$@\"; }
bb mkdir -p $out/bin
{ echo \"#!$boot/bin/busybox sh\"
  echo \"exec $tools/bin/tcc -B$tools/lib/tcc \\\"\\$@\\\"\"; } > $out/bin/tcc
bb chmod 755 $out/bin/tcc
" #:inputs `(("tools" ,tools-seed))))

(define dummy-package
  (script-package "dummy" "0" "$boot/bin/busybox mkdir $out"))
