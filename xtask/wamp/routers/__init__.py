"""The routers: their configuration, their start on free ports, their end."""
