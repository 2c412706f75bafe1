"""Supervise actors on trio, in OTP's words. Names only; each module says what it does."""

from supervision import telemetry
from supervision.backoff import Backoff
from supervision.child import ChildSpec
from supervision.context import current
from supervision.dead_letters import DeadLetter, DeadLetters
from supervision.demand import FlowStatistics
from supervision.dispatch import BroadcastDispatcher, DemandDispatcher, Dispatcher, PartitionDispatcher
from supervision.errors import (
    AlreadyPresent,
    AlreadyStarted,
    CallingSelf,
    GaveUp,
    Lagged,
    MailboxFull,
    NoSuchChild,
    ProcessExited,
    SpecError,
    StartFailed,
    StillRunning,
    SupervisionError,
    TooManyChildren,
)
from supervision.exits import KILL, Crash, ExitOrder, ExitReason, Killed, NoProc, Normal, Shutdown
from supervision.flow import Consumer, Producer, ProducerConsumer
from supervision.handle import DynamicSupervisor, Supervisor
from supervision.inside import demonitor, link, monitor, receive, trap_exit, unlink
from supervision.live_tree import Node, tree
from supervision.messages import Call, Down, Exit, IdleTimeout, Monitor, Reply, Request
from supervision.overflow import DROP_NEWEST, DROP_OLDEST, LATEST, RAISE, WAIT, Overflow
from supervision.partition import Partition, Partitions
from supervision.plan import dynamic_supervisor, supervisor
from supervision.reference import LogEntry, ProcessRef, ProcessStatistics, Ref, RefTo
from supervision.registry import Entry, Registered, Registry, Unregistered, Via
from supervision.scope import open_dynamic_supervisor, open_supervisor
from supervision.server import NO_REPLY, Continue, Ignore, Server
from supervision.snapshot import ChildCounts, ChildInfo, ChildStatistics, SupervisorStatistics
from supervision.tasks import Task, Tasks
from supervision.timer import Timer
from supervision.topic import Subscription, SubscriptionStatistics, Topic, TopicStatistics

__all__ = [
    "DROP_NEWEST",
    "DROP_OLDEST",
    "KILL",
    "LATEST",
    "NO_REPLY",
    "RAISE",
    "WAIT",
    "AlreadyPresent",
    "AlreadyStarted",
    "Backoff",
    "BroadcastDispatcher",
    "Call",
    "CallingSelf",
    "ChildCounts",
    "ChildInfo",
    "ChildSpec",
    "ChildStatistics",
    "Consumer",
    "Continue",
    "Crash",
    "DeadLetter",
    "DeadLetters",
    "DemandDispatcher",
    "Dispatcher",
    "Down",
    "DynamicSupervisor",
    "Entry",
    "Exit",
    "ExitOrder",
    "ExitReason",
    "FlowStatistics",
    "GaveUp",
    "IdleTimeout",
    "Ignore",
    "Killed",
    "Lagged",
    "LogEntry",
    "MailboxFull",
    "Monitor",
    "NoProc",
    "NoSuchChild",
    "Node",
    "Normal",
    "Overflow",
    "Partition",
    "PartitionDispatcher",
    "Partitions",
    "ProcessExited",
    "ProcessRef",
    "ProcessStatistics",
    "Producer",
    "ProducerConsumer",
    "Ref",
    "RefTo",
    "Registered",
    "Registry",
    "Reply",
    "Request",
    "Server",
    "Shutdown",
    "SpecError",
    "StartFailed",
    "StillRunning",
    "Subscription",
    "SubscriptionStatistics",
    "SupervisionError",
    "Supervisor",
    "SupervisorStatistics",
    "Task",
    "Tasks",
    "Timer",
    "TooManyChildren",
    "Topic",
    "TopicStatistics",
    "Unregistered",
    "Via",
    "current",
    "demonitor",
    "dynamic_supervisor",
    "link",
    "monitor",
    "open_dynamic_supervisor",
    "open_supervisor",
    "receive",
    "supervisor",
    "telemetry",
    "trap_exit",
    "tree",
    "unlink",
]
