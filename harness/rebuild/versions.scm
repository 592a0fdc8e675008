;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; guix repl -- versions.scm FILE
;;;
;;; FILE holds a list of names of packages, as strings.  Print a list with the
;;; list of versions that this Guix has of each.
(use-modules (gnu packages) (guix packages))

(define names
  (call-with-input-file (list-ref (command-line) 1) read
                        #:encoding "UTF-8"))

(set-port-encoding! (current-output-port) "UTF-8")
(write (map (lambda (name)
              (map package-version (find-packages-by-name name)))
            names))
(newline)
