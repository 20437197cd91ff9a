"""The pages that citizens see, one file for each question; view models, words and rendering beside them."""
