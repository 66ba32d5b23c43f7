;; RUN: run %
;; RUN: inspect %
(component)
