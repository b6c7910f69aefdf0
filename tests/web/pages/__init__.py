"""The pages as a browser without a screen meets them: status, headers, words and forms."""
