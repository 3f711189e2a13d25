"""What AWS stands behind: ECS, Auto Scaling, EC2, CloudWatch Logs and STS, over boto3 or the like of it.

What lives here: `cloud.AwsCloud` keeps the port; `clients` makes boto3's clients, once; `region` and
`access` find out at the start where we are and whether AWS lets us in; `failures` is the one table from
exceptions to Failures, `hazards` the one of what fights this service; `cluster` reads one ECS cluster,
whole or not at all; `census`, `daemons` and `launch_times` remember what never changes; `container_logs` and
`consoles` keep the ports of those names, through `log_clients` of their own; the other modules each read
one of AWS's answers into the core's nouns.

May import: `scheduler.core`, `scheduler.ports`, boto3 and botocore. It reads no environment of its own and
takes no time: both are handed in.

Words:
  shape       a structure as boto3 gives it, keys spelled as in AWS's API
  act         a call with an effect: sent by the `*_once` clients, which never repeat it
  definite    certainly without effect; everything else about a failed call is unknown
"""
