;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; guix repl -- examine.scm FILE
;;;
;;; FILE holds (OPTIONS DERIVATIONS ROOTS TARGETS): an association list of
;;; `rounds', `timeout', `silence', `substitutes?' and perhaps `cores', and lists of
;;; file names.
;;;
;;; Build each derivation once more, ROUNDS times, and print "same" where the
;;; result is what the store has, else "failed" and why; before it "built" where
;;; it was not there and so was built first.  "unblend-examined N" on a line of
;;; its own stands before what is of the Nth, on both outputs.  Then, after
;;; "unblend-chain N", the shortest way from one of ROOTS along references to
;;; the Nth target, a store item a line; nothing where there is none.
(use-modules (guix store)
             (guix derivations)
             (srfi srfi-1)
             (srfi srfi-34))

(define data
  (call-with-input-file (list-ref (command-line) 1) read
                        #:encoding "UTF-8"))

(define (option name)
  (assq-ref (list-ref data 0) name))

(define max-items 100000)               ;on a search for a way

(define (mark port what n)
  (format port "~%unblend-~a ~a~%" what n)
  (force-output port))

(define (examine store drv)
  (guard (c ((store-protocol-error? c)
             (format #t "failed~%~a~%" (store-protocol-error-message c))))
    (let ((outputs (map cdr (derivation->output-paths
                             (read-derivation-from-file drv)))))
      (unless (every (lambda (path) (valid-path? store path)) outputs)
        (build-things store (list drv))
        (format #t "built~%"))
      (build-things store (list drv) (build-mode check))
      (format #t "same~%"))))

(define (way store roots target)
  "The items from one of ROOTS to TARGET."
  (define seen (make-hash-table))
  (let loop ((ways (map list roots)) (next '()) (count 0))
    (cond ((> count max-items) '())
          ((and (null? ways) (null? next)) '())
          ((null? ways) (loop (reverse next) '() count))
          (else
           (let* ((way (car ways)) (item (car way)))
             (cond ((string=? item target) (reverse way))
                   ((hash-ref seen item) (loop (cdr ways) next count))
                   (else
                    (hash-set! seen item #t)
                    (loop (cdr ways)
                          (append (map (lambda (item) (cons item way))
                                       (references store item))
                                  next)
                          (+ count 1)))))))))

(define (show-way store roots target)
  (guard (c ((store-protocol-error? c) #f))
    (for-each (lambda (item) (format #t "~a~%" item))
              (way store roots target))))

(define (for-each/n proc list)
  (for-each proc list (iota (length list))))

(with-store store
  (apply set-build-options store
         #:rounds (option 'rounds)
         #:timeout (option 'timeout)
         #:max-silent-time (option 'silence)
         #:use-substitutes? (option 'substitutes?)
         #:print-build-trace #f
         (let ((cores (option 'cores)))
           (if cores (list #:build-cores cores) '())))
  (for-each/n (lambda (drv n)
                (mark (current-error-port) "examined" n)
                (mark (current-output-port) "examined" n)
                (examine store drv)
                (force-output (current-output-port)))
              (list-ref data 1))
  (let ((roots (filter (lambda (path) (valid-path? store path))
                       (list-ref data 2))))
    (for-each/n (lambda (target n)
                  (mark (current-output-port) "chain" n)
                  (show-way store roots target))
                (list-ref data 3))))
