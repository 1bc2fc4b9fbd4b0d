"""The pages: what people see in a browser. They call the same functions as the REST routes and decide nothing."""
