"""Whether two contents show the same picture: looks of small pictures, laid over each other and compared place by place."""
