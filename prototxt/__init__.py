"""From prototxt and weights to a net: text, upgrade, graph, params, the net itself."""
