"""The decisions: values in, values out. No environment, network, clock or printing."""
