"""The filter: what a mail provider runs. It knows neither attackers nor the simulator."""
