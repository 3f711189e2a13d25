"""What is true and what is dead: states of tasks, attempts and container instances.

Lives here: the transition table, the ordered rules of an instance's health and of the steps of its removal,
the classification of causes and the reconciliation of attempts with what was heard of them. May import
`model`. Words: *evidence* is what was heard; an attempt is *adopted* when its answer was lost and its ECS
task was found, *abandoned* when it was not found in the visibility window.
"""
