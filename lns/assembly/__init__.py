"""How engines are put together for a server: which ones the configuration asks for, and what each needs to run."""
