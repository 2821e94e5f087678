from tests.brokers import kafka_address, noida, tansu

__all__ = ["kafka_address", "noida", "tansu"]
