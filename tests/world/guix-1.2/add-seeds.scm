;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; add-seeds.scm DIR, for 'guix repl': add what make-seeds wrote to the store.
(use-modules (guix store)
             (ice-9 ftw)
             (ice-9 match))

(match (command-line)
  ((_ dir)
   (with-store store
     (for-each
      (lambda (name)
        (let* ((file (string-append dir "/" name))
               (item (add-to-store store name (file-is-directory? file)
                                   "sha256" file))
               (root (string-append "/var/guix/gcroots/seed-" name)))
          (when (false-if-exception (lstat root))
            (delete-file root))
          (symlink item root)
          (format #t "~a~%" item)))
      (scandir dir (lambda (name) (not (string-prefix? "." name))))))))
