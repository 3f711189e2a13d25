"""A strict simulated AWS account: ECS, Auto Scaling, EC2, CloudWatch Logs and STS, on an injected clock.

What lives here: the model (`account.SimulatedAws` is its front), the wire (AWS's own protocols over
HTTP) and in-process clients that duck-type boto3's. The demo, the tests of the boto3 adapter, the
fault tests on a virtual clock and trace replay all use this one account.

It is strict where AWS documents a limit: each rule carries its source in a comment. A rule that nobody
could verify is a knob in `settings.SimulationSettings`, so that both answers can be tried.

May import: `scheduler.ports.clock` and the standard library; only codec, http and clients know botocore.
Imported by: cli, lab and tests.

Words:
  region      what all services share: time, draws, identifiers, the timeline and the journal
  timeline    effects that are due later, carried out lazily, each at its own due time
  journal     what really happened, in order: the oracle of every exactly-once test
  shape       a structure as boto3 gives and takes it, keys spelled as in AWS's API
  operation   one API action of one service, with the parameters that the model honours
  act         what befalls the account without any API call: a kill, a lost agent, a human's hand
  ghost       a registration of a container instance that no agent stands behind any more
  orphan      a task that runs on although ECS follows it no longer
  caller      who uses the account with an IAM policy; without one it is the account's root user
  refusal     an error answer; a fault is one that the account was told to give
"""
