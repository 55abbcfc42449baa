"""From passages to an answer: extraction, context for a language model, its statements checked against them."""
