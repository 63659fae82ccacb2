"""What the parameter block holds, part by part: tools/gen_params.py puts it together."""
