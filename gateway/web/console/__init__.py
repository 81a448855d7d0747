"""The console: pages for the people of an organisation, rendered here, in a browser of theirs."""
