"""Film formats, each written frame by frame: memory holds one frame, however many.

Pillow keeps every frame of an animation until it is saved, which for a thousand cases
are gigabytes. Here Pillow (for MP4, FFmpeg) encodes each frame, and only what stands
around the frames is written by lungcli.
"""
