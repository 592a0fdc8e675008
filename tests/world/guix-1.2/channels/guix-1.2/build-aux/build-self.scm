;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Build this little Guix 1.2.0.  Like the 'build-self.scm' of the real thing,
;;; this file is loaded in the process that runs 'guix pull' or 'guix
;;; time-machine' and returns a monadic procedure that returns a derivation.
;;; That process may be a much newer Guix: see boot.scm.
(use-modules (guix derivations)
             (guix store)
             ((guix utils) #:select (%current-system))
             (ice-9 match))

(define %top (dirname (dirname (current-filename))))

(define (load-modules! . names)
  (save-module-excursion
   (lambda ()
     (for-each (lambda (name)
                 (primitive-load
                  (string-append %top "/gnu/packages/" name ".scm")))
               names))))

(load-modules! "boot")

(define (load-distribution!)
  "Where the calling process is a Guix of this age, what it needs from the
distribution to build a profile (Guile above all, and what the profile hooks
use) is to be that of this channel.  A newer one has its own."
  (when (string=? (effective-version) "2.2")
    (load-modules! "seed" "bootstrap" "commencement" "guile" "gnupg" "bash"
                   "base" "compression" "texinfo" "haskell" "gtk" "glib"
                   "gnome" "linux" "freedesktop" "xorg" "certs" "tls"
                   "version-control")))

(define-syntax-rule (boot name)
  (module-ref (resolve-interface '(gnu packages boot)) 'name))

(define %modules-script "
bb() { $boot/bin/busybox \"$@\"; }
scm=$out/share/guile/site/2.2; go=$out/lib/guile/2.2/site-ccache
bb mkdir -p $scm/gnu $go/gnu
for f in $guix/share/guile/site/2.2/*; do
 case $f in */gnu) ;; *) bb ln -s $f $scm/ ;; esac
done
for f in $guix/lib/guile/2.2/site-ccache/*; do
 case $f in */gnu) ;; *) bb ln -s $f $go/ ;; esac
done
for f in $guix/share/guile/site/2.2/gnu/*; do
 case $f in */packages) ;; *) bb ln -s $f $scm/gnu/ ;; esac
done
for f in $guix/lib/guile/2.2/site-ccache/gnu/*; do
 case $f in */packages) ;; *) bb ln -s $f $go/gnu/ ;; esac
done
bb mkdir $scm/gnu/packages; bb cp $source/gnu/packages/*.scm $scm/gnu/packages/
bb cp $source/gnu.scm $scm/
bb mkdir $go/gnu/packages
bb ln -s $guix/share/guile/site/2.2/gnu/packages/aux-files $scm/gnu/packages/
export HOME=/homeless GUILE_AUTO_COMPILE=0
export GUILE_LOAD_PATH=$scm:$libs/share/guile/site/2.2
export GUILE_LOAD_COMPILED_PATH=$go:$libs/lib/guile/2.2/site-ccache
cd $scm
$guile/bin/guile --no-auto-compile -c '
(use-modules (system base compile))
(with-fluids ((%file-port-name-canonicalization (quote relative)))
  (for-each (lambda (file)
              (format #t \"compiling ~a~%\" file)
              (compile-file file
                            #:output-file
                            (string-append (getenv \"go\") \"/\"
                                           (string-drop-right file 4) \".go\")))
            (cdr (command-line))))' gnu.scm gnu/packages/*.scm
")

(define %command-script "
{
echo \"#!$guile/bin/guile --no-auto-compile\"
echo '!#'
echo \"(set! %load-extensions '(\\\".scm\\\"))\"
echo \"(set! %load-path (cons* \\\"$modules/share/guile/site/2.2\\\" \\\"$libs/share/guile/site/2.2\\\" \\\"$guile/share/guile/2.2\\\" %load-path))\"
echo \"(set! %load-compiled-path (cons* \\\"$modules/lib/guile/2.2/site-ccache\\\" \\\"$libs/lib/guile/2.2/site-ccache\\\" \\\"$guile/lib/guile/2.2/ccache\\\" %load-compiled-path))\"
echo \"(apply (module-ref (resolve-interface '(guix ui)) 'guix-main) (command-line))\"
} > $out
$boot/bin/busybox chmod 555 $out
")

(define %guix-script "
bb() { $boot/bin/busybox \"$@\"; }
bb mkdir -p $out/bin $out/share/guile/site $out/lib/guile/2.2
bb ln -s $command $out/bin/guix
bb ln -s $modules/share/guile/site/2.2 $out/share/guile/site/2.2
bb ln -s $modules/lib/guile/2.2/site-ccache $out/lib/guile/2.2/site-ccache
")

(define (guix-derivation store source version system)
  (define script-derivation (boot script-derivation))
  (define guile ((boot guile-derivation) store system))
  (define libs ((boot guile-libs-derivation) store system))
  (define modules
    (script-derivation
     store "guix-modules" (string-append "export go\n" %modules-script)
     `(("guile" ,guile)
       ("libs" ,libs)
       ("guix" ,((boot guix-seed-derivation) store system)))
     #:sources `(("source"
                  . ,(add-to-store store "guix-source" #t "sha256" source
                                   #:select?
                                   (lambda (file stat)
                                     (not (member (basename file)
                                                  '(".git" "build-aux")))))))
     #:system system))
  (define command
    (script-derivation store "guix-command" %command-script
                       `(("guile" ,guile) ("libs" ,libs) ("modules" ,modules))
                       #:system system))
  (script-derivation store (string-append
                            "guix-" (string-take version
                                                 (min 9 (string-length version))))
                     %guix-script
                     `(("command" ,command) ("modules" ,modules))
                     #:system system))

(define* (build source
                #:key verbose? (version "0") system (pull-version 0)
                #:allow-other-keys)
  (load-distribution!)
  (lambda (store)                       ;a monadic value
    (values (guix-derivation store source version
                             (or system (%current-system)))
            store)))

;; What 'build-from-source' calls.
build
