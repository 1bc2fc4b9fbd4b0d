"""Previews and heat maps: kept only where the site says so."""
