"""ecs-scheduler: starts CI agents as ECS tasks and keeps just enough container instances for them.

`core` thinks and touches nothing; everything around it touches and does not think. Start reading at
`core/decide.py`, then `services/control_loop.py`, then `bootstrap.py`.
"""
