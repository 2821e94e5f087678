"""The dashboards as they are maintained; `python -m deploy.grafana.source` writes them to dashboards/."""
