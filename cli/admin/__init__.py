"""Commands that look after accounts and stores."""
