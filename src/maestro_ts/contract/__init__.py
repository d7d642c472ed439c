"""What every model is made of: a front end and a network, and the table that names the models."""
