"""What a trained net finds, and how good it is: detections, VOC's and COCO's measures, recall, anchors."""
