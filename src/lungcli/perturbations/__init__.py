"""What goes wrong with X-rays in the wild, in measured steps from nothing to absurd.

`catalogue` holds the perturbations with their levels; `spatial`, `intensity` and
`hiding` what they do to an X-ray and its label map.
"""
