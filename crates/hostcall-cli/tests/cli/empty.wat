;; RUN: run %
;; RUN: run % --invoke x
;; RUN: inspect %
;; RUN: inspect - < %
;; RUN: run - < %
(module)
