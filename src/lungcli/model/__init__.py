"""What a trained network is outside Keras: its folder, its facts, its ONNX form."""
