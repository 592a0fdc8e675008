;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; For 'guix pack -L': of no channel, so an image keeps no provenance of it.
(define-module (lonely)
  #:use-module (guix packages)
  #:use-module (gnu packages fixtures))

(define-public lonely
  (package
    (inherit hello)
    (name "lonely")
    (version "1")))
