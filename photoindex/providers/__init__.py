"""Services that run models: pixels in, results out; the only room that sends."""
