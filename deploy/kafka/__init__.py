"""The embedded Apache Kafka: real brokers in KRaft mode, from jars pinned by sha256, on the JRE of a wheel."""
