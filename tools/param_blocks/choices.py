"""Choices of control law and guard; all other numbers come from hardware/reference.toml."""

# Choices of the control law. The needle's come from the feasibility study of reference A, the rest from runs of the
# bare loop (docs/control.md says which).
TUNING = {
    "observer_hz": 500.0,
    "loop_hz": 130.0,
    "accel_m_per_s2": 25.0,
    "decel_m_per_s2": 8.0,
    "cap_m_per_s": 0.15,
    "landing_ms": 4.0,
    "easy_m_per_s": 0.012,
    "easy_n": 0.22,
    "firm_n": 0.4,
    "settle_um": 10,
    "settle_ms": 3.0,
    "settle_min_ms": 20.0,
    "insert_ms": 250.0,
    "home_um": 40,
    "zero_seating_sd": 3.5,
    "creep_nl": 20,
    "back_steps": 4,  # a tick
    "dose_tol_nl": 20,
    "quiet_pa": 600,
    "quiet_ms": 2.0,  # at least, as probe_ms
    "press_soft_kpa": 300,
    "probe_kpa": 8.0,
    "probe_nl": 120,
    "probe_settle_ms": 1.5,
    "probe_ms": 6.0,  # at least; a line that leaks slowly is looked at for longer (params.use_needle)
    "probe_most_ms": 100.0,
    "probe_drop_kpa": 1.0,
    "probe_wait_ms": 15.0,
    "probe_tries": 8,
    "rest_kpa": 3.0,
    "retract_ms": 100.0,
    "early_um": 400,  # before the depth: the rest takes as long as the probe
    "look_ms": 12.0,  # a 34G needle that leaks falls by a third meanwhile, with the softest set of its type
    "look_drop_kpa": 0.8,
    "leak_ms": 35.0,  # a leaking line that falls more slowly isn't told from tissue
    "pull_mn": 100,  # noise of the force, 5 standard deviations
    "learn_kpa": 8.0,
    "soft_part": 0.1,  # of the type's tolerance, besides
    "slack_nl": 12,  # noise of force and pressure in the measure of the backlash
    "test_um": 300,
    "test_kpa": 8,  # what suck-back leaves, the meniscus of the thinnest needle, and noise
}
PER_MPA_Q14 = 16 * 16384 / 1e6  # nl/MPa -> nl per 16 Pa in Q14

# Choices of the guard. Limits with a time are ticks in a row.
GUARD = {
    "speed_um": 50,  # 0.2 m/s: the profile's cap is 0.15 m/s
    "jump_um": 220,  # the spring brings the needle home at 150 um a tick
    "jerk_um": 16,
    "jolt_um": 6,  # normal shots: 4
    "follow_um": 110,  # normal shots: 52 ahead, leaving park
    "lag_um": 45,  # normal shots: 25
    "near_um": 12,  # normal shots: 8, once the profile is slow
    "slow_m_per_s": 0.05,
    "still_um": 17,  # normal shots: 8
    "disturbance_n": 2.4,
    "rest_um": 4,
    "rest_ticks": 40,  # normal shots: 23
    "short_um": 2,
    "short_ticks": 8,  # normal shots: 2
    "home_ms": 25.0,
    "away_um": 150,
    "press_kpa": 450,
    "press_ms": 5.0,
    "load_n": 50.0,
    "supply_ms": 5.0,
    "background_ms": 100.0,
    "contact_ms": 500.0,
    "cut_ticks": 3,
    "push_n": 0.4,
    "turn_n": 1.5,  # less than twice the lowest friction of any type: the stopper still stands
    "sensor_kpa": 1000,
    "grip_ms": 2.0,
    "grip_mn": 100.0,  # noise of force and pressure, 5 standard deviations
    "slip_sd": 8.0,  # standard deviations of the noise between two ticks: sound shots stay below 6
    "slide_part": 1.1,  # of the way that stopper and backlash give, at the softest
}
