"""Tools for the project itself: pages rendered from the code, previews of summaries, measurements."""
