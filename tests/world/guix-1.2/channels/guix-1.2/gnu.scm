;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Of the real module, what a manifest sees.
(define-module (gnu)
  #:use-module (gnu packages)
  #:export (use-package-modules))
(eval-when (eval load compile)
  (for-each (let ((i (module-public-interface (current-module))))
              (lambda (m) (module-use! i (resolve-interface m))))
            '((gnu packages) (gnu packages base) (guix gexp))))
(define-syntax-rule (use-package-modules module ...)
  (use-modules (gnu packages module) ...))
