"""The pages: what people see in a browser. They call the same use cases as the REST API and decide nothing."""
