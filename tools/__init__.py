"""What only the project itself needs: pages rendered from the code, previews of summaries, measurements."""
