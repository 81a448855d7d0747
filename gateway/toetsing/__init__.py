"""What the OM gate goes by: proposed by the police, compared, confirmed by an officer, kept."""
