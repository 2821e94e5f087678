"""Message formats, pure: a record of the exchange in, messages for an outlet out."""
