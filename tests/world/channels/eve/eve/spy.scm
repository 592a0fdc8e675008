;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; A channel like any other; but nobody has reason to trust it.
(define-module (eve spy)
  #:use-module (guix packages)
  #:use-module (gnu packages fixtures))

(define-public spy
  (package
    (inherit hello)
    (name "spy")
    (version "0.0.7")))
