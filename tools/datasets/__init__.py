"""Detection data: annotations in PASCAL VOC's and COCO's formats, the roidb made of them, and minibatches.

Nothing is cached on disk: annotations are read anew each time, so that no stale copy can be believed.
"""
