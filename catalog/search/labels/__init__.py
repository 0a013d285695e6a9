"""Labels that a search asks for: the user's command, what it prints, and the catalog that keeps it.

What a command answers is stored at once, so that nothing that was trained is trained again.
"""
