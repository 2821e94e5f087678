from tests.brokers import kafka, kafka_address, noida, tansu

__all__ = ["kafka", "kafka_address", "noida", "tansu"]
