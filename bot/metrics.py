"""The numbers an operator watches, as Prometheus counters and gauges."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, Summary


class Metrics:
    """Every metric of the core, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)  # memory, processor time, file descriptors
        self.messages = Counter(
            "clew_messages",
            "Messages handed over by a platform, by what became of them",
            ["platform", "result"],  # stored, known, refused, unaddressed, lost
            registry=self.registry,
        )
        self.turns = Counter("clew_turns", "Turns ended, by how", ["platform", "state"], registry=self.registry)
        self.failures = Counter(
            "clew_failures", "Everything that went wrong, by the name of the error", ["error"], registry=self.registry
        )
        self.asks = Counter(
            "clew_asks",
            "Questions put to the model, by reason",
            ["reason"],  # first, refused, rebuilt, again, resumed, summary; and answers fetched instead
            registry=self.registry,
        )
        self.tokens = Counter("clew_tokens", "Tokens of answered turns, by kind", ["kind"], registry=self.registry)
        self.searches = Counter(
            "clew_searches", "Queries that answered turns put to Google Search", registry=self.registry
        )
        self.forgotten = Counter(
            "clew_threads_forgotten",
            "Threads forgotten, because somebody asked or because of their age",
            ["reason"],
            registry=self.registry,
        )
        self.deletions = Counter(
            "clew_deletions",
            "What was to be deleted at Gemini, by what became of that",
            ["kind", "result"],
            registry=self.registry,
        )
        self.running = Gauge("clew_turns_running", "Turns being answered now", registry=self.registry)
        self.parked = Gauge(
            "clew_turns_parked", "Turns that wait for a person, or for what runs at Gemini", registry=self.registry
        )
        self.waiting = Gauge("clew_lanes_waiting", "Threads waiting for a free place", registry=self.registry)
        self.seconds = Histogram(
            "clew_turn_seconds",
            "From taking a turn to its end",
            buckets=(0.5, 1, 2, 5, 10, 20, 40, 80, 160, 320),
            registry=self.registry,
        )
        self.stalls = Summary(
            "clew_loop_stall_seconds", "How long the event loop stood still, each time", registry=self.registry
        )
        self.healthy = Gauge(
            "clew_healthy", "Whether a check of health finds all well", ["check"], registry=self.registry
        )
