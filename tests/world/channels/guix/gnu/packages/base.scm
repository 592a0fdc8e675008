;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Of the real module, what Guix itself looks for.
(define-module (gnu packages base)
  #:use-module (gnu packages seed)
  #:export (tar coreutils sed grep binutils patch patch/pinned findutils
            gnu-make libc-utf8-locales-for-target glibc-utf8-locales
            canonical-package))
(define tar tar-seed)
(define coreutils coreutils-seed)
(define sed sed-seed)
(define grep grep-seed)
(define binutils binutils-seed)
(define patch dummy-package)
(define patch/pinned dummy-package)
(define gnu-make dummy-package)
(define findutils coreutils-seed)
(define glibc-utf8-locales libc-utf8-locales-seed)
(define* (libc-utf8-locales-for-target #:optional target) libc-utf8-locales-seed)
(define (canonical-package p) p)
